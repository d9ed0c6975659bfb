"""Let the imitation take whatever the service takes for a value of a template: it must not be the stricter one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dev.demo.wechat_api.books.templates import Template
from service.dev.demo.wechat_api.calls.template_values import RULES, check_values
from service.domain.broadcasts.messages.field_rules import FIELD_RULES, rule_of_field

ALPHABETS = st.sampled_from(["09", "09.", "09+- ()", "AaZz", "中々〇", "粤A8", "¥09.元", "~!、·-", "aé😀中 1:/_"])
CHARACTERS = ALPHABETS.flatmap(lambda alphabet: st.text(alphabet=alphabet, min_size=1, max_size=33))
NUMBERS = st.integers(0, 59).map(lambda number: f"{number:02d}") | st.integers(0, 59).map(str)
YEARS = st.sampled_from(["2026年", "2026-", "2026/", "2026.", ""])
DAYS = st.tuples(YEARS, NUMBERS, st.sampled_from("月-/."), NUMBERS, st.sampled_from(["日", ""])).map("".join)
TIMES = st.tuples(NUMBERS, st.just(":"), NUMBERS).map("".join)
MOMENTS = st.one_of(TIMES, DAYS, st.tuples(DAYS, st.sampled_from([" ", ""]), TIMES).map("".join))
SPANS = st.lists(MOMENTS, min_size=1, max_size=2).map(" ~ ".join)


def test_both_know_the_same_rules() -> None:
    assert RULES.keys() == FIELD_RULES.keys()


@pytest.mark.parametrize("name", sorted(FIELD_RULES))
@given(value=CHARACTERS | SPANS)
def test_what_the_service_takes_is_taken(name: str, value: str) -> None:
    if rule_of_field(f"{name}1").allows(value):
        check_values(Template(id="T1", fields=(f"{name}1",)), {f"{name}1": {"value": value}})
