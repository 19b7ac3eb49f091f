"""Charts: what their SVG shows, says, and leads to."""

import re
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask import get_template_attribute

from webapp.web.presenters.desk.axis import number_ticks, time_ticks, time_words
from webapp.web.presenters.desk.chart import COUNT, TIME, Chart, Series
from webapp.web.presenters.desk.links import ended_url

NOON, MINUTE = datetime(2026, 11, 21, 12), timedelta(minutes=1)


@pytest.fixture
def draw(app):
    """A function that draws a chart: the tree of its figure."""

    def drawn(chart: Chart) -> ElementTree.Element:
        with app.test_request_context():
            html = get_template_attribute("desk/charts/chart.html", "chart")(chart)
        return ElementTree.fromstring(re.sub(r" data-[\w-]+(?=[ >])", "", html))

    return drawn


def _chart(*values, title="Waiting", measure=COUNT, **more) -> Chart:
    names = [("finished", "good"), ("failed", "bad")]
    series = [Series(name, tone, row, name) for (name, tone), row in zip(names, values, strict=False)]
    moments = [NOON + n * MINUTE for n in range(len(values[0]))]
    return Chart("c", title, measure, series, moments, MINUTE, "Europe/Berlin", **more)


def _paths(figure) -> list[str]:
    return [
        path.get("d") for path in figure.iter("path") if "line" in path.get("class", "") and path.get("d") != "M0,5H18"
    ]


def test_a_line_goes_through_its_values(draw):
    [path] = _paths(draw(_chart([0, 5, 10])))
    assert path == "M0.5,100L1.5,50L2.5,0"


def test_what_nobody_knows_is_a_gap_and_zero_is_zero(draw):
    [path] = _paths(draw(_chart([10, 10, None, 0, 0, None, 10])))
    assert path == "M0.5,0L1.5,0 M3.5,100L4.5,100 M6.5,0m-.4,0h.8"


def test_bars_are_stacked_and_as_high_as_what_they_count(draw):
    figure = draw(_chart([6, 0], [4, 2], is_stacked=True, url=ended_url))
    bars = [
        (bar.get("x"), bar.get("y"), bar.get("height")) for bar in figure.iter("rect") if "layer" in bar.get("class")
    ]
    assert bars[2:] == [("0.1", "40.0", "60.0"), ("0.1", "0.0", "40.0"), ("1.1", "80.0", "20.0")]


def test_each_bar_leads_to_its_tasks_and_the_table_does_too(draw):
    figure = draw(_chart([6], [4], is_stacked=True, url=ended_url))
    span = "ended_after=2026-11-21T12:00:00Z&ended_before=2026-11-21T12:01:00Z&internal=1&children=1"
    links = [link.get("href") for link in figure.iter("a")]
    both, each = (
        f"/desk/tasks?state=finished,failed&{span}",
        [f"/desk/tasks?state={s}&{span}" for s in ("finished", "failed")],
    )
    assert links == [both, *each, *each]


def test_what_is_pressed_is_as_high_as_the_chart(draw):
    spots = [spot for spot in draw(_chart([1, None, 3])).iter("rect") if spot.get("class") == "spot"]
    assert [(spot.get("x"), spot.get("height")) for spot in spots] == [("0", "100"), ("2", "100")]


def test_it_says_in_words_what_it_shows(draw):
    figure = draw(_chart([1, 7, 3]))
    plot = next(svg for svg in figure.iter("svg") if svg.get("role"))
    assert plot.get("role") == "img"
    title, words = (figure.find(f".//*[@id='{name}']").text for name in plot.get("aria-labelledby").split())
    assert title == "Waiting"
    assert words == ("From 21 November 2026, 13:00 to 13:03. The highest was 7, 13:01–13:02. The latest: finished 3.")


def test_its_key_has_the_last_value_of_a_line_and_the_sum_of_bars(draw):
    assert _key(draw(_chart([5, 7, None]))) == [("finished ", "Latest", "latest 7")]
    figure = draw(_chart([50, 42, 0], [4, 0, 0], is_stacked=True, url=ended_url))
    assert _key(figure) == [("finished ", "In all", "in all 92"), ("failed ", "In all", "in all 4")]
    assert "In all: finished 92, failed 4." in ElementTree.tostring(figure, "unicode")


def _key(figure) -> list[tuple[str, str, str]]:
    found = [(item.find("svg").tail, item.find("b")) for item in figure.findall(".//ul/li")]
    return [(name, number.get("title"), "".join(number.itertext())) for name, number in found]


def test_one_with_links_is_a_group_and_keys_find_them_in_the_table(draw):
    figure = draw(_chart([1], [0], is_stacked=True, url=ended_url))
    plot = next(svg for svg in figure.iter("svg") if svg.get("role"))
    assert plot.get("role") == "group"
    assert {link.get("tabindex") for link in plot.iter("a")} == {"-1"}
    assert [link.get("tabindex") for link in figure.find("details").iter("a")] == [None]


def test_the_table_has_the_same_numbers_the_latest_first(draw):
    rows = draw(_chart([1, None, 1200])).findall(".//tbody/tr")
    assert [[cell.text for cell in row] for row in rows] == [
        ["13:02–13:03", "1,200"],
        ["13:01–13:02", "–"],
        ["13:00–13:01", "1"],
    ]


def test_a_chart_of_nothing_is_drawn_and_says_so(draw):
    figure = draw(_chart([None, None]))
    assert _paths(figure) == [""]
    assert "Nothing is known yet." in ElementTree.tostring(figure, "unicode")


def test_no_style_stands_in_it(draw):
    text = ElementTree.tostring(draw(_chart([1, 2], [3, 4], is_stacked=True, url=ended_url)), "unicode")
    assert "style=" not in text
    assert "<script" not in text


def test_a_release_is_marked_where_it_came(draw):
    figure = draw(_chart([1, 2, 3], marks=[(2, "abc")]))
    marks = [path for path in figure.iter("path") if path.find("title") is not None]
    assert [(mark.get("d"), mark.find("title").text) for mark in marks] == [("M2,0V100", "Release abc")]
    assert figure.findall(".//ul/li")[-1].find("svg").tail == "new release"
    assert "new release" not in ElementTree.tostring(draw(_chart([1, 2, 3])), "unicode")


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        *[(0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 3, 4]), (5, [0, 2, 4, 6]), (9, [0, 5, 10])],
        *[(40, [0, 10, 20, 30, 40]), (41, [0, 20, 40, 60]), (1_000_000, [0, 500_000, 1_000_000])],
    ],
)
def test_the_axis_of_numbers_has_steps_of_1_2_or_5(highest, ticks):
    assert number_ticks(highest) == ticks


@pytest.mark.parametrize(
    ("highest", "words"),
    [
        *[(0, ["0", "1 s"]), (1, ["0", "1 ms"])],
        *[(40, ["0", "10 ms", "20 ms", "30 ms", "40 ms"]), (90_000, ["0", "30 s", "1 min", "1.5 min"])],
        *[(3_600_000, ["0", "15 min", "30 min", "45 min", "1 h"]), (200_000_000, ["0", "1 d", "2 d", "3 d"])],
    ],
)
def test_the_axis_of_durations_has_steps_that_people_count_by(highest, words):
    assert [time_words(tick) for tick in time_ticks(highest)] == words


def test_durations_are_drawn_too(draw):
    assert [text.text for text in draw(_chart([0, 60_000], measure=TIME)).iter("text")][:5] == [
        "0",
        "15 s",
        "30 s",
        "45 s",
        "1 min",
    ]
