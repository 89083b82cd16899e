"""ctgan's TVAE, defaults: train.csv synthetic.csv seed -> seconds and rows a second, as JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
import torch
from ctgan import TVAE
from ctgan.data_transformer import DataTransformer

MANY, TIMES = 200_000, 5

train, out, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
np.random.seed(seed)
torch.manual_seed(seed)
frame = pd.read_csv(train, skipinitialspace=True)
discrete = list(frame.select_dtypes(["object", "bool"]))

started = time.monotonic()
DataTransformer().fit(frame, discrete)
preprocessing = time.monotonic() - started

started = time.monotonic()
model = TVAE(enable_gpu=False)
model.fit(frame, discrete)
fit = time.monotonic() - started

speeds = []
for _ in range(TIMES):
    started = time.monotonic()
    model.sample(MANY)
    speeds.append(MANY / (time.monotonic() - started))
model.sample(len(frame)).to_csv(out, index=False)
print(json.dumps({"preprocessing": preprocessing, "fit": fit, "rows_per_second": speeds}))
