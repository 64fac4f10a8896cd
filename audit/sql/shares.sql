-- What each object contributes to each measure: how much, when, for which seller, team and customer.

-- Deals won, with their rate: 1 for the reporting currency, null where there is none, and the deal waits.
create or replace table won as
select
    deals.customer,
    deals.deal,
    deals.seller,
    coalesce(deals.won_at, deals.decided_at) as moment,
    coalesce(deals.value, 0) as value,
    deals.currency,
    case when coalesce(deals.currency, reporting()) = reporting() then 1 else rates.rate_whole end as rate_whole,
    case when coalesce(deals.currency, reporting()) = reporting() then 0 else rates.rate_fine end as rate_fine,
    coalesce(
        deals.first_contact,
        least(deals.first_at, leads.first_at, of_lead.first_at, of_deal.first_at)
    ) as first_contact,
from deals
left join leads on leads.lead = deals.lead
left join (select lead, min(first_at) as first_at from activities group by lead) as of_lead
    on of_lead.lead = deals.lead
left join (select home, deal, min(first_at) as first_at from activities group by home, deal) as of_deal
    on of_deal.home = deals.customer and of_deal.deal = deals.deal
asof left join rates
    on rates.currency = deals.currency and rates.since <= coalesce(deals.won_at, deals.decided_at)
where deals.outcome = 'deal.won';

create or replace view counted_won as
select
    won.*,
    clock.ahead,
    greatest(0, won.moment + clock.ahead - won.first_contact - first_clock.ahead) as cycle,
from won
join clock on clock.utc_day = won.moment // 86400000000 and won.moment >= clock.since and won.moment < clock.until
join clock as first_clock
    on first_clock.utc_day = won.first_contact // 86400000000
    and won.first_contact >= first_clock.since
    and won.first_contact < first_clock.until
where rate_whole is not null;

-- Customers: their first and latest won deal, and the churn that is later than it.
create or replace table customers as
select
    customer,
    first_won.deal,
    first_won.moment as first_at,
    first_won.ahead as first_ahead,
    first_won.seller as first_seller,
    last_won.seller as last_seller,
    case when churned_at > last_won.moment then churned_at end as churned_at,
from (
    select
        customer,
        arg_min({deal: deal, moment: moment, ahead: ahead, seller: seller}, (moment, deal)) as first_won,
        arg_max({moment: moment, seller: seller}, (moment, deal)) as last_won,
    from counted_won
    group by customer
)
left join (
    select customer, max(time) as churned_at from events where type = 'customer.churned' group by customer
) using (customer);

create or replace table organisations as
select customer, min(first_at) as moment, nullif(arg_min(coalesce(first_by, ''), first_nth), '') as seller
from (
    select customer, first_at, first_nth, first_by from leads
    union all select customer, first_at, first_nth, first_by from deals
    union all select customer, first_at, first_nth, first_by from activities
)
where customer in (select customer from leads where has_org_number)
group by customer;

-- Each day of each cost, with the rate at its start; null where there is none, and the whole cost waits.
create or replace table rated_cost_days as
select
    cost_days.cost,
    cost_days.on_day,
    cost_days.days,
    coalesce(day_starts.moment, costs.logged_at) as moment,
    case when costs.currency = reporting() then 1 else rates.rate_whole end as rate_whole,
    case when costs.currency = reporting() then 0 else rates.rate_fine end as rate_fine,
from cost_days
join costs using (cost)
left join day_starts on day_starts.day = cost_days.on_day
asof left join rates
    on rates.currency = costs.currency and rates.since <= coalesce(day_starts.moment, costs.logged_at);

create or replace table waiting_costs as
select cost, min(moment) filter (rate_whole is null) as moment
from rated_cost_days
group by cost
having bool_or(rate_whole is null);

create or replace view counted_costs as
select
    costs.cost,
    costs.category,
    costs.seller,
    costs.team,
    costs.customer,
    days.on_day,
    days.moment,
    days.rate_whole,
    days.rate_fine,
    costs.amount::hugeint as stated,
    costs.amount::hugeint * days.rate_whole as amount,
    costs.amount::hugeint * days.rate_fine as fine,
    days.days,
from rated_cost_days as days
join costs using (cost)
where days.cost not in (select cost from waiting_costs);

-- Persons: whom an activity concerns. A call, an e-mail, a meeting held or a visit reaches them.
create or replace view concerned as
select
    *,
    coalesce(customer, lead) as place,
    coalesce(person, lead, customer) as who,
from activities
where coalesce(customer, lead) is not null;

create or replace view contacts as
from concerned
where kind in ('call', 'email', 'meeting_held', 'visit');

create or replace table persons as
select place, who, row_number() over () as number
from (select distinct place, who from concerned);

create or replace view counted as
select
    'leads_new' as measure, null::varchar as home, lead as object, customer, seller, null::varchar as team, new_at as moment,
    null::date as on_day, null::bigint as person, 1::hugeint as amount, 0::hugeint as fine,
    1::smallint as among,
from leads
union all
select 'organisations_new', null, customer, customer, seller, null, moment, null, null, 1, 0, 1 from organisations
union all
select
    'leads_qualified', null, lead, customer, coalesce(qualified_by, seller), null, qualified_at, null, null, 1, 0, 1,
from leads
where qualified_at is not null and verdict <> 'lead.disqualified'
union all
select 'contacts', home, activity, customer, seller, null, logged_at, null, number, 1, 0, 1
from contacts join persons using (place, who)
union all
select measure, home, activity, customer, seller, null, logged_at, null, null, 1, 0, 1
from activities
join (
    values ('call', 'calls'), ('email', 'emails'), ('meeting_booked', 'meetings_booked'),
    ('meeting_held', 'meetings_held'), ('quote_sent', 'quotes_sent'), ('visit', 'visits')
) as kinds(kind, measure) using (kind)
union all
select 'deals_won', customer, deal, customer, seller, null, moment, null, null, 1, 0, 1 from counted_won
union all
select
    'revenue', customer, deal, customer, seller, null, moment, null, null,
    value::hugeint * rate_whole, value::hugeint * rate_fine, 1,
from counted_won
where value <> 0
union all
select 'cycle_days_sum', customer, deal, customer, seller, null, moment, null, null, cycle, 0, 1
from counted_won
where cycle > 0
union all
select
    'deals_lost', customer, deal, customer, seller, null, coalesce(lost_at, decided_at), null, null, 1, 0, 1,
from deals
where outcome = 'deal.lost'
union all
select 'customers_new', null, deal, customer, first_seller, null, first_at, null, null, 1, 0, 1 from customers
union all
select 'cost', null, cost, customer, seller, team, moment, on_day, null, amount, fine, days from counted_costs
union all
select 'cost_' || category, null, cost, customer, seller, team, moment, on_day, null, amount, fine, days
from counted_costs
union all
select 'customers_churned', null, customer, customer, last_seller, null, churned_at, null, null, 1, 0, 1
from customers
where churned_at is not null;
