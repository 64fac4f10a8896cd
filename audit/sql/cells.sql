-- Sums by scope and day, of which every window is made.

create or replace view scoped as
select 'company' as scope, * from shares
union all
select 'seller:' || seller, * from shares where seller is not null
union all
select 'team:' || team, * from shares where team is not null
union all
select 'customer:' || customer, * from shares where customer is not null;

create or replace table cells as
select scope, day, measure, among, sum(amount) as amount, sum(fine) as fine
from scoped
where person is null
group by scope, day, measure, among;

-- Distinct persons do not add up over days: who was met stays apart.
create or replace table met as
select distinct scope, day, measure, person
from scoped
where person is not null;

-- How long customers stayed, by the scopes that count them as new: clock time until they left, and of
-- those who have not, how many there are and when they came, together.
create or replace table stays as
select
    scope,
    count(*) as customers,
    sum((churned_at + clock.ahead) - (first_at + first_ahead)) as gone_micros,
    count(*) filter (churned_at is null) as staying,
    sum(first_at + first_ahead) filter (churned_at is null) as came_micros,
from scoped
join customers on customers.customer = scoped.customer
left join clock
    on clock.utc_day = churned_at // 86400000000 and churned_at >= clock.since and churned_at < clock.until
where measure = 'customers_new'
group by scope;

create or replace table calendar as
select
    day,
    grain,
    case grain when 'ever' then date '1970-01-01' else date_trunc(grain, day)::date end as start,
from
    (select day from cells union select day from met),
    (values ('day'), ('week'), ('month'), ('quarter'), ('year'), ('ever')) as grains(grain);
