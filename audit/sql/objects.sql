-- What is known of each object: of each field the value that the latest event states, in the order of
-- time, id and source, which is `nth`. An event that came twice says the same twice.

create or replace table events as
select *, row_number() over (order by time, id, source) as nth
from heard;

create or replace table leads as
select
    lead,
    arg_max(customer, nth) as customer,
    arg_max(seller, nth) as seller,
    coalesce(min(time) filter (type = 'lead.created'), min(time)) as new_at,
    arg_max(type, nth) filter (type in ('lead.qualified', 'lead.disqualified')) as verdict,
    max(time) filter (type in ('lead.qualified', 'lead.disqualified')) as verdict_at,
    min(time) filter (type = 'lead.qualified') as qualified_at,
    nullif(arg_min(coalesce(seller, ''), nth) filter (type = 'lead.qualified'), '') as qualified_by,
    bool_or(org_number is not null) as has_org_number,
    min(time) as first_at,
    min(nth) as first_nth,
    nullif(arg_min(coalesce(seller, ''), nth), '') as first_by,
from events
where starts_with(type, 'lead.')
group by lead
having not bool_or(type = 'lead.deleted');

create or replace table activities as
select
    coalesce(customer, lead, activity) as home,
    activity,
    arg_max(customer, nth) as customer,
    arg_max(lead, nth) as lead,
    arg_max(deal, nth) as deal,
    arg_max(person, nth) as person,
    arg_max(seller, nth) as seller,
    arg_max(kind, nth) as kind,
    max(time) filter (type = 'activity.logged') as logged_at,
    min(time) as first_at,
    min(nth) as first_nth,
    nullif(arg_min(coalesce(seller, ''), nth), '') as first_by,
from events
where starts_with(type, 'activity.')
group by home, activity
having not bool_or(type = 'activity.deleted');

create or replace table deals as
select
    customer,
    deal,
    arg_max(seller, nth) as seller,
    arg_max(lead, nth) as lead,
    arg_max(value, nth) as value,
    arg_max(currency, nth) as currency,
    arg_max(first_contact, nth) as first_contact,
    arg_max(won_at, nth) as won_at,
    arg_max(lost_at, nth) as lost_at,
    arg_max(type, nth) filter (type in ('deal.won', 'deal.lost', 'deal.reopened')) as outcome,
    max(time) filter (type in ('deal.won', 'deal.lost', 'deal.reopened')) as decided_at,
    min(time) as first_at,
    min(nth) as first_nth,
    nullif(arg_min(coalesce(seller, ''), nth), '') as first_by,
from events
where starts_with(type, 'deal.')
group by customer, deal
having not bool_or(type = 'deal.deleted');

create or replace table costs as
select
    cost,
    arg_max(category, nth) as category,
    arg_max(amount, nth) as amount,
    arg_max(currency, nth) as currency,
    arg_max(seller, nth) as seller,
    arg_max(team, nth) as team,
    arg_max(customer, nth) as customer,
    arg_max("from", nth) as from_day,
    arg_max("to", nth) as to_day,
    max(time) filter (type = 'cost.logged') as logged_at,
from events
where starts_with(type, 'cost.')
group by cost
having not bool_or(type = 'cost.deleted') and bool_or(type = 'cost.logged');

-- In which team a seller is from a time on; null after they left.
create or replace table teams as
select seller, time as since, nullif(arg_max(coalesce(team, ''), nth), '') as team
from events
where type in ('seller.assigned', 'seller.left')
group by seller, time;

-- What a currency is worth from a time on: whole units of the reporting currency, and 10^-12 of one.
create or replace table rates as
select currency, time as since, arg_max(rate_whole, nth) as rate_whole, arg_max(rate_fine, nth) as rate_fine
from events
where type = 'rate.set'
group by currency, time;
