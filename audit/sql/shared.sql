-- Where and when each of these contributions counts: its day on the office wall, and the team of its seller then.

create or replace table shares as
select
    counted.measure,
    counted.home,
    counted.object,
    counted.customer,
    counted.seller,
    case when counted.seller is null then counted.team else teams.team end as team,
    counted.moment,
    coalesce(counted.on_day, date '1970-01-01' + ((counted.moment + clock.ahead) // 86400000000)::integer) as day,
    counted.person,
    counted.amount,
    counted.fine,
    counted.among,
from (from counted union all from own_counted) as counted
left join clock
    on clock.utc_day = counted.moment // 86400000000 and counted.moment >= clock.since and counted.moment < clock.until
asof left join teams on teams.seller = counted.seller and teams.since <= counted.moment;
