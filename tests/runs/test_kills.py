"""Fifty processes of the command line, killed at random moments: each finished run equals the undisturbed one."""

import pytest

from tests.runs.kills import COMMANDS, Killer, finish, require_same_end

KILLS = {"train": 20, "sample": 10, "evaluate": 10, "report": 10}
ROUNDS = 5


@pytest.mark.exhaustive
def test_fifty_kills_change_nothing(tmp_path, capsys):
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    killer = Killer({command: finish(command, undisturbed) for command in COMMANDS})
    missed = 0
    for number in range(ROUNDS):
        run = tmp_path / f"run{number}"
        run.mkdir()
        for command, kills in KILLS.items():
            wanted = kills // ROUNDS
            # a command that has nothing left to do ends before most moments; what is missing then comes in other rounds
            while wanted and missed < sum(KILLS.values()):
                hit = killer.kill(command, run)
                wanted, missed = wanted - hit, missed + (not hit)
            finish(command, run)
        require_same_end(run, undisturbed)
    with capsys.disabled():
        taken = ", ".join(f"{command} {seconds:.1f} s" for command, seconds in killer.seconds.items())
        print(f"\nkills that landed (undisturbed: {taken}; {missed} processes had ended before their moment)")
        print(killer.table())
    assert sum(killer.landed.values()) == sum(KILLS.values())
