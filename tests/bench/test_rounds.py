"""Rates and ratios of rounds."""

from bench.rounds import Range, Result, ratios, table


def a_result(contender: str, number: int, seconds: float, first_done: int = 1_000) -> Result:
    return Result(
        contender=contender,
        workers=1,
        round=number,
        events=11_000,
        first_done=first_done,
        seconds=seconds,
        cpu_s=1.0,
        peak_mb=100.0,
        wrong=0,
        windows=5,
        samples=[],
    )


def test_what_was_done_before_the_clock_started_does_not_count() -> None:
    result = a_result("malvakt", 1, 2.0)
    assert result.rate == 5_000
    assert result.cpu_us == 100


def test_a_run_that_was_over_when_the_clock_started_has_no_rate() -> None:
    result = a_result("malvakt", 1, 2.0, first_done=11_000)
    assert result.rate is None
    assert result.cpu_us is None
    assert table([result]).row_count == 1


def test_ratios_are_taken_within_a_round() -> None:
    ours = [a_result("malvakt", 1, 1.0), a_result("malvakt", 2, 4.0), a_result("malvakt", 3, 1.0)]
    theirs = [a_result("other", 1, 2.0), a_result("other", 2, 8.0), a_result("other", 3, 3.0)]
    assert ratios(ours, theirs) == Range(2, 2, 3)


def test_a_round_without_a_rate_gives_no_ratio() -> None:
    ours = [a_result("malvakt", 1, 1.0, first_done=11_000), a_result("malvakt", 2, 1.0)]
    theirs = [a_result("other", 1, 1.0), a_result("other", 2, 5.0)]
    assert ratios(ours, theirs) == Range(5, 5, 5)
    assert ratios([], theirs) is None
