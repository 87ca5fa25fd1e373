"""Fifty processes of the command line, killed at random moments: each finished run equals the undisturbed one."""

import pytest

from tests.runs.kills import COMMANDS, Duration, Killer, finish, require_same_end

KILLS = {"train": 20, "sample": 10, "evaluate": 10, "report": 10}
ROUNDS = 5


@pytest.mark.exhaustive
def test_fifty_kills_change_nothing(tmp_path, capsys):
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    durations = {command: finish(command, undisturbed) for command in COMMANDS}
    killer, missed = Killer(seed=0), 0
    for number in range(ROUNDS):
        run = tmp_path / f"run{number}"
        run.mkdir()
        for command, kills in KILLS.items():
            wanted = kills // ROUNDS
            whole, after = durations[command]
            # a training goes on where it was killed: its kills together spread over all of it
            share = 2 / wanted if command == "train" else 1
            while wanted and missed < sum(KILLS.values()):
                hit = killer.kill(command, run, Duration(whole, after * share))
                wanted, missed = wanted - hit, missed + (not hit)
            finish(command, run)
        require_same_end(run, undisturbed)
    with capsys.disabled():
        taken = ", ".join(f"{command} {duration.whole:.1f} s" for command, duration in durations.items())
        print(f"\nkills that landed (undisturbed: {taken}; {missed} processes had ended before their moment)")
        print(killer.table())
    assert sum(killer.landed.values()) == sum(KILLS.values())
