"""mostlyai-engine's TabularARGN, defaults: train.csv synthetic.csv seed -> seconds and rows a
second, as JSON. Preprocessing is a part of its `fit`."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time

import pandas as pd
from mostlyai.engine import TabularARGN

MANY = 200_000

train, out, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
frame = pd.read_csv(train, skipinitialspace=True)

with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
    started = time.monotonic()
    model = TabularARGN(workspace_dir=folder, random_state=seed, device="cpu")
    model.fit(frame)
    fit = time.monotonic() - started
    started = time.monotonic()
    model.sample(n_samples=MANY)
    speed = MANY / (time.monotonic() - started)
    model.sample(n_samples=len(frame)).to_csv(out, index=False)
print(json.dumps({"fit": fit, "rows_per_second": [speed]}))
