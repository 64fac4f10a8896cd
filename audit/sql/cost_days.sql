-- Over which calendar days each cost is spread: `from` to `to`, in whichever order; over no more than
-- 3,660 days, else it counts on the first; without either, at the time of its event.

create or replace table spans as
select
    cost,
    least(from_day, to_day) as first_day,
    case
        when greatest(from_day, to_day) - least(from_day, to_day) >= 3660 then 1
        else coalesce(greatest(from_day, to_day) - least(from_day, to_day) + 1, 1)
    end as days,
from costs;

create or replace table cost_days as
select cost, first_day + number::integer as on_day, days
from spans, unnest(range(days)) as numbers(number);
