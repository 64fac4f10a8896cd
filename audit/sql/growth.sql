-- What growth compares in each record that is asked for: revenue up to a day is the latest running sum
-- before it.

create or replace temp table running as
select
    scope,
    day,
    sum(whole_of(amount, fine, among)) over days as whole,
    sum(rest_of(amount, fine, among)) over days as rest,
from chosen_cells
where measure = 'revenue'
window days as (partition by scope order by day);

create or replace temp table spans_compared as
select
    scope,
    grain,
    start,
    next_start,
    before_start,
    case
        when next_start <= today then start
        else greatest(before_start, least(start, before_start + (today - start + 1)::integer))
    end as before_end,
    case when grain = 'year' then greatest(start, least(next_start, today + 1)) end as so_far_end,
    case
        when grain <> 'year' or today < start then before_start
        else (least(next_start - 1, today) - interval 1 year)::date + 1
    end as so_far_before_end,
from (
    select
        *,
        (start + to_months(months) + to_days(days))::date as next_start,
        (start - to_months(months) - to_days(days))::date as before_start,
    from chosen_asked
    join (
        values ('day', 0, 1), ('week', 0, 7), ('month', 1, 0), ('quarter', 3, 0), ('year', 12, 0)
    ) as lengths(grain, months, days) using (grain)
);

create or replace temp table points as
with wanted as (
    select distinct scope, unnest([start, before_start, before_end, so_far_end, so_far_before_end]) as point
    from spans_compared
)
select wanted.scope, wanted.point, coalesce(whole, 0) as whole, coalesce(rest, 0) as rest
from wanted
asof left join running on running.scope = wanted.scope and running.day < wanted.point
where wanted.point is not null;

create or replace temp table growth as
select
    scope,
    grain,
    start,
    before + floor_div(before_rest, one()) as revenue_before,
    floor_mod(before_rest, one()) as revenue_before_rest,
    so_far + floor_div(so_far_rest, one()) as revenue_so_far,
    floor_mod(so_far_rest, one()) as revenue_so_far_rest,
    so_far_before + floor_div(so_far_before_rest, one()) as revenue_so_far_before,
    floor_mod(so_far_before_rest, one()) as revenue_so_far_before_rest,
from (
    select
        spans.scope,
        spans.grain,
        spans.start,
        before_end.whole - before_start.whole as before,
        before_end.rest - before_start.rest as before_rest,
        so_far_end.whole - at_start.whole as so_far,
        so_far_end.rest - at_start.rest as so_far_rest,
        so_far_before_end.whole - before_start.whole as so_far_before,
        so_far_before_end.rest - before_start.rest as so_far_before_rest,
    from spans_compared as spans
    join points as before_start on before_start.scope = spans.scope and before_start.point = spans.before_start
    join points as before_end on before_end.scope = spans.scope and before_end.point = spans.before_end
    join points as at_start on at_start.scope = spans.scope and at_start.point = spans.start
    left join points as so_far_end on so_far_end.scope = spans.scope and so_far_end.point = spans.so_far_end
    left join points as so_far_before_end
        on so_far_before_end.scope = spans.scope and so_far_before_end.point = spans.so_far_before_end
);
