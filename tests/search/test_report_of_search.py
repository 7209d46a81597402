from ganface.io.console import as_text
from ganface.search.report import Result, draw_spread, summarise, summary_table


def result(kind, number, frechet):
    figures = None if frechet is None else {"frechet": frechet}
    return Result(kind, number, {}, figures, None if figures else "not a number", None)


RESULTS = [
    *(result("ns", number, value) for number, value in ((3, 40.0), (1, 9.0), (2, None), (4, 20.0))),
    result("ns", 0, 12.0),
    result("vae", 1, None),
    result("vae", 0, None),
]


def test_a_summary_counts_what_failed_apart():
    summary = summarise(RESULTS)
    expected = {"best": 9.0, "median": 20.0, "worst": 40.0, "default": 12.0}
    assert summary["ns"] == expected | {"failed": 1, "draws": 4, "frechet": [9.0, 40.0, 20.0]}
    nothing = dict.fromkeys(expected)
    assert summary["vae"] == nothing | {"failed": 1, "draws": 1, "frechet": []}
    assert summary["hinge"] == nothing | {"failed": 0, "draws": 0, "frechet": []}


def test_the_table_has_a_row_for_each_kind():
    lines = as_text(summary_table(summarise(RESULTS))).splitlines()
    rows = [" ".join(line.split()) for line in lines]
    assert rows[0] == "Fréchet distance best median worst default failed"
    assert rows[1] == "ns 9.00 20.0 40.0 12.0 1 of 4"
    assert rows[5] == "vae none none none none 1 of 1"


def test_a_search_without_any_result_yet_has_a_picture():
    assert draw_spread(summarise([]), 2.0, 1000).size == draw_spread(summarise(RESULTS), 2, 9).size
