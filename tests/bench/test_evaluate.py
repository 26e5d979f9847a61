"""Many walks: what is planned, what it comes to, and the command that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rearguard.bench.judging import evaluate
from rearguard.bench.judging.evaluate import AGREE, OURS, OWN_PACE, Plan, guard_names, work
from rearguard.bench.world import fit, scenario
from rearguard.cli import main
from rearguard.errors import InputError

SHORT = ["wall", "person-crossing-far"]


def test_a_plan_walks_every_seed_of_every_row_once() -> None:
    plan = Plan(SHORT, ("ultrasonic", "tf-luna"), ("default", "cautious"), walks=70, first_seed=5)
    tasks = plan.tasks()
    assert len(tasks) > 8
    for row in {(t.scenario, t.fit, t.profile) for t in tasks}:
        seeds = [seed for t in tasks if (t.scenario, t.fit, t.profile) == row for seed in t.seeds]
        assert seeds == list(range(5, 75))


def test_the_limits_of_a_plan_are_those_that_no_sensor_of_the_fit_sees() -> None:
    limits = Plan(["glass-door", "wall", "kerb"], ("ld06", "both", "ultrasonic")).limits()
    assert set(limits) == {("glass-door", "ld06"), ("kerb", "ld06"), ("kerb", "both"), ("kerb", "ultrasonic")}


def test_the_walks_come_in_the_order_of_the_plan_however_many_work_at_them() -> None:
    plan = Plan(SHORT, walks=6)
    alone = evaluate.evaluate(plan, workers=1)
    assert [(w.scenario, w.seed) for w in alone] == [(name, seed) for name in SHORT for seed in range(1000, 1006)]
    assert evaluate.evaluate(plan, workers=2) == alone


def test_all_guards_meet_the_same_readings() -> None:
    plan = Plan(["wall"], guards=(OURS, "one reading", "gpiozero"), walks=4, obeys=False)
    walks = evaluate.evaluate(plan, workers=1)
    for seed in range(1000, 1004):
        due = {w.stops[0].due_m for w in walks if w.seed == seed}
        assert len(due) == 1
    late = {w.guard: w.stops[0].late_s for w in walks if w.seed == 1000}
    assert late["gpiozero"] > late[OURS] + 0.2


def test_gpiozero_at_its_own_pace_is_slower_still() -> None:
    plan = Plan(["sudden"], guards=("gpiozero", f"gpiozero{OWN_PACE}"), walks=40, obeys=False)
    walks = evaluate.evaluate(plan, workers=1)
    late = {g: sorted(w.stops[0].late_s for w in walks if w.guard == g and w.stops)[15] for g in plan.guards}
    assert late[f"gpiozero{OWN_PACE}"] > late["gpiozero"]


def test_a_peer_that_takes_one_beam_is_not_given_a_sweep() -> None:
    with pytest.raises(InputError, match="single-beam"):
        Plan(["wall"], ("ld06",), guards=("gpiozero",)).tasks()


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="there is no scenario 'nowhere'"):
        Plan(["nowhere"]).tasks()
    with pytest.raises(InputError, match="there is no fit 'none'"):
        Plan(["wall"], ("none",)).tasks()


def test_every_guard_that_can_be_named_can_be_walked() -> None:
    for against, fitted in (("peers", "ultrasonic"), ("front", "ultrasonic"), ("agreement", "pair")):
        names = guard_names(against)
        assert names[0] == OURS
        for task in Plan(["wall"], (fitted,), guards=names, walks=1, obeys=False).tasks():
            (walked,) = work(task)
            assert walked.guard == task.guard
    assert AGREE in guard_names("agreement")


def test_other_false_echoes_can_be_asked_for() -> None:
    quiet, loud = (
        sum(w.alerts for w in evaluate.evaluate(Plan(["open-field"], walks=2, echoes=echoes), workers=1))
        for echoes in ("none", "phantoms")
    )
    assert quiet == 0
    assert loud > 5


def test_the_fastest_walk_of_a_fit_is_that_of_its_shortest_sighted_sensor() -> None:
    assert fit.fastest_mps(fit.load("both")) == fit.fastest_mps(fit.load("ultrasonic"))
    assert fit.fastest_mps(fit.load("ld06")) > fit.fastest_mps(fit.load("both"))


def test_the_command_prints_a_table_and_leaves_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.html"
    code = main(["evaluate", *SHORT, "kerb", "--walks", "3", "--workers", "1", "--report", str(report)])
    out = capsys.readouterr().out
    assert code == 0, out
    assert "wall" in out
    assert "limit" in out
    assert max(map(len, out.splitlines())) <= 110
    page = report.read_text()
    assert "rearguard bench wall --fit ultrasonic" in page
    assert scenario.load("kerb").limit["all"] in page


def test_a_broken_statement_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    route = tmp_path / "silent.toml"
    route.write_text('title = "t"\nsays = "s."\nlasts_s = 3.0\n[must]\nfault = "lost"\n')
    assert main(["evaluate", str(route), "--walks", "1", "--workers", "1", "--report", str(tmp_path / "r.html")]) == 1
    assert "BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--walks", "0"], "--walks 0: allowed"),
        (["--seed", "-1"], "--seed must be"),
        (["--report", "/nowhere/at/all.html"], "there is no folder"),
        (["nowhere"], "there is no scenario"),
        (["--fit", "none"], "there is no fit"),
    ],
)
def test_a_wrong_option_is_one_line(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *options]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
