import re

import pandas as pd

from rewarm.effects.heel_effects import heel_effects
from rewarm.report.heels import heel_sentences, heels_table, percent, with_minus_signs
from tests.effects.heel_worlds import Person, injections, live, participants, visits


def test_a_row_a_person_with_the_group_first_and_masking_in_words():
    ids = ["H1", "H2"]
    lived = pd.concat([live(Person(rest=25.0, temptation=0.4), k, who).diary for k, who in enumerate(ids)])
    found = heel_effects({}, participants(*ids), visits(*ids), injections(*ids), lived)
    table = heels_table(found)
    assert [row[0] for row in table.rows] == ["All together", "H1", "H2"]
    assert all(len(row) == len(table.header) for row in table.rows)
    assert table.rows[1][1].startswith("−")  # relief, with a real minus sign
    assert " to " in table.rows[1][4]
    assert all(re.fullmatch(r"(0|[+−]\d+) \((0|[+−]\d+) to (0|[+−]\d+)\)", cell) for cell in table.rows[1][1:7])
    assert "a minus is less pain, or less load" in table.note
    told = heel_sentences(found)
    assert sum("while time in heels went from" in sentence for sentence in told) == 2
    assert sum("three days a week in flats" in sentence for sentence in told) == 1


def test_probabilities_are_never_quite_sure_and_minus_signs_are_real():
    assert [percent(p) for p in (1.0, 0.0, 0.254, float("nan"))] == ["over 99 %", "under 1 %", "25 %", "–"]
    assert with_minus_signs("fell (-11 to -5.1) on 2025-03-01, first-2") == "fell (−11 to −5.1) on 2025-03-01, first-2"
