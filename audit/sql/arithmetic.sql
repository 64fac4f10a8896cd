-- Arithmetic that loses nothing. Money is a whole number of millionths of a unit (`whole`) and a rest of
-- 10^-30 of such a millionth, rounded down; what is not shared out by days has no digits beyond that.

create or replace macro one() as
    1000000000000000000000000000000::hugeint;

create or replace macro floor_div(a, b) as
    a // b - (a % b < 0)::hugeint;

create or replace macro floor_mod(a, b) as
    (a % b + b) % b;

-- An amount, and `fine` millionths of a millionth of it, divided among so many days.
create or replace macro whole_of(amount, fine, among) as
    case
        when among = 1 and fine = 0 then amount
        else floor_div(amount, among::hugeint) + floor_div(fine, 1000000000000::hugeint * among)
    end;

create or replace macro rest_of(amount, fine, among) as
    case
        when among = 1 and fine = 0 then 0::hugeint
        else (floor_mod(amount, among::hugeint) * one()) // among
            + (floor_mod(fine, 1000000000000::hugeint * among) * 1000000000000000000::hugeint) // among
    end;

-- Thirds add up to a whole: a sum of rests that were rounded down is no exact multiple of the finest
-- amount that rates know, 10^-12, where the true one is. At most 3,660 rests of two parts are added.
create or replace macro mended(rest) as
    case
        when (rest + 10000) % 1000000000000000000::hugeint < 20000
            then ((rest + 10000) // 1000000000000000000::hugeint) * 1000000000000000000::hugeint
        else rest
    end;

create or replace macro carried(rest) as
    rest // one();

create or replace macro left_over(rest) as
    rest % one();

-- The nearest multiple of `step`, ties to even. The rest is below one.
create or replace macro half_even(whole, rest, step) as
    case
        when rest = 0 and whole % step = 0 then whole // step
        else floor_div(whole, step)
            + (
                2 * floor_mod(whole, step) + carried(2 * rest) > step
                or (
                    2 * floor_mod(whole, step) + carried(2 * rest) = step
                    and (left_over(2 * rest) > 0 or floor_div(whole, step) % 2 <> 0)
                )
            )::hugeint
    end;

-- A JSON number, or a text that is a decimal one, in millionths, beyond six decimals rounded half to even;
-- null for what is neither, or has more than 12 digits before the point.
create or replace macro decimal_of(said) as
    case json_type(said)
        when 'VARCHAR' then case when length(said ->> '$') <= 40 then said ->> '$' end
        when 'BIGINT' then said ->> '$'
        when 'UBIGINT' then said ->> '$'
        when 'DOUBLE' then case when abs((said ->> '$')::double) < 1e12 then (said ->> '$')::decimal(38, 25)::varchar end
    end;

create or replace macro millionths_of(whole, decimals, sign) as
    sign * (
        (whole || rpad(substr(decimals, 1, 6), 6, '0'))::hugeint
        + (
            substr(decimals, 7) > '5'
            or (substr(decimals, 7) = '5' and (whole || rpad(substr(decimals, 1, 6), 6, '0'))::hugeint % 2 = 1)
        )::hugeint
    );

create or replace macro millionths(said) as
    case
        when regexp_full_match(decimal_of(said), '-?[0-9]{1,12}([.][0-9]+)?') then millionths_of(
            regexp_extract(decimal_of(said), '^-?([0-9]+)', 1),
            rtrim(regexp_extract(decimal_of(said), '[.]([0-9]+)$', 1), '0'),
            case when starts_with(decimal_of(said), '-') then -1 else 1 end
        )
    end;

create or replace macro as_double(whole, rest) as
    whole::double + rest::double / 1e30;

-- Whole minor units, such as öre, as they are written.
create or replace macro written(minor, digits) as
    case when minor < 0 then '-' else '' end
    || (abs(minor) // (10 ** digits)::hugeint)::varchar
    || case
        when digits > 0 then '.' || lpad((abs(minor) % (10 ** digits)::hugeint)::varchar, digits, '0')
        else ''
    end;
