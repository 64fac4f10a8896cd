import subprocess
import sys

from holidays import list_supported_countries

from kpis.public_holidays import countries

LOADED = """
import sys
import goals.working_plan
print([name for name in sys.modules if name.startswith("holidays.countries.")])
"""


def test_all_countries_of_the_library_are_known() -> None:
    assert countries() == set(list_supported_countries())


def test_to_know_them_no_calendar_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
