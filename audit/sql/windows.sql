-- The sums of every measure in every window of the chosen scopes, one row a measure.

create or replace temp table parts as
select scope, grain, start, measure, among, sum(amount) as amount, sum(fine) as fine
from chosen_cells join calendar using (day)
group by scope, grain, start, measure, among
union all
select scope, grain, start, measure, 1, count(*), 0
from (select distinct scope, grain, start, measure, person from chosen_met join calendar using (day))
group by scope, grain, start, measure;

create or replace temp table sums as
with added as (
    select
        scope,
        grain,
        start,
        measure,
        sum(whole_of(amount, fine, among)) as whole,
        mended(sum(rest_of(amount, fine, among))) as rest,
    from parts
    group by scope, grain, start, measure
)
select scope, grain, start, measure, whole + carried(rest) as whole, left_over(rest) as rest
from added;
