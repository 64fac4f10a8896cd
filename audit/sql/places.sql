-- What own measures may count: for each event type its objects, when and for whom, and what they are worth
-- where that is money. What waits for a rate has none.

create or replace view place_lead_created as
select
    null::varchar as home, lead as object, customer, seller, null::varchar as team, new_at as moment,
    null::date as on_day,
from leads;

create or replace view place_lead_qualified as
select
    null::varchar as home, lead as object, customer, coalesce(qualified_by, seller) as seller,
    null::varchar as team, qualified_at as moment, null::date as on_day,
from leads
where qualified_at is not null and verdict <> 'lead.disqualified';

create or replace view place_lead_disqualified as
select
    null::varchar as home, lead as object, customer, seller, null::varchar as team, verdict_at as moment,
    null::date as on_day,
from leads
where verdict = 'lead.disqualified';

create or replace view place_activity_logged as
select
    home, activity as object, activities.customer, seller, null::varchar as team, logged_at as moment,
    null::date as on_day, persons.number as person,
from activities
left join persons
    on persons.place = coalesce(activities.customer, activities.lead)
    and persons.who = coalesce(activities.person, activities.lead, activities.customer);

create or replace view place_deal_won as
select
    customer as home, deal as object, customer, seller, null::varchar as team, moment, null::date as on_day,
    value::hugeint as value, rate_whole, rate_fine, 1 as days,
from counted_won;

create or replace view place_deal_created as
select
    deals.customer as home, deals.deal as object, deals.customer, deals.seller, null::varchar as team,
    deals.first_at as moment, null::date as on_day, coalesce(deals.value, 0)::hugeint as value,
    case when coalesce(deals.currency, reporting()) = reporting() then 1 else rates.rate_whole end as rate_whole,
    case when coalesce(deals.currency, reporting()) = reporting() then 0 else rates.rate_fine end as rate_fine,
    1 as days,
from deals
asof left join rates on rates.currency = deals.currency and rates.since <= deals.first_at;

create or replace view place_deal_lost as
select
    deals.customer as home, deals.deal as object, deals.customer, deals.seller, null::varchar as team,
    coalesce(deals.lost_at, deals.decided_at) as moment, null::date as on_day,
    coalesce(deals.value, 0)::hugeint as value,
    case when coalesce(deals.currency, reporting()) = reporting() then 1 else rates.rate_whole end as rate_whole,
    case when coalesce(deals.currency, reporting()) = reporting() then 0 else rates.rate_fine end as rate_fine,
    1 as days,
from deals
asof left join rates
    on rates.currency = deals.currency and rates.since <= coalesce(deals.lost_at, deals.decided_at)
where deals.outcome = 'deal.lost';

create or replace view place_customer_churned as
select
    null::varchar as home, customer as object, customer, last_seller as seller, null::varchar as team,
    churned_at as moment, null::date as on_day,
from customers
where churned_at is not null;

create or replace view place_cost_logged as
select
    null::varchar as home, cost as object, customer, seller, team, moment, on_day, stated as value,
    rate_whole, rate_fine, days,
from counted_costs;
