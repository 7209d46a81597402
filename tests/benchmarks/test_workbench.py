import os

import pytest
import workbench


def test_an_error_of_a_command_ends_the_bench_and_is_shown():
    with pytest.raises(SystemExit) as end:
        workbench.run("-c", "raise OSError('the disk is full')")
    assert "ended with 1" in end.value.code
    assert "OSError: the disk is full" in end.value.code


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="not told on this system")
def test_the_peak_is_that_of_the_largest_process():
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b\"x\" * 10**8'])"
    # From a process that is small itself, unlike this one
    measure = "import sys; sys.path.append(sys.argv[1]); import workbench; "
    measure += "print(workbench.run('-c', sys.argv[2]).peak)"
    peak = float(workbench.run("-c", measure, workbench.HERE, child).out)
    assert 10**8 / 2**20 < peak < 1.5 * 10**8 / 2**20
