"""dpmm's AIM or MST on a table of codes, defaults:
train.csv sizes.json new.csv AIM|AIM8|MST epsilon delta rows -> seconds to fit and draw, as JSON.

The sizes of all columns are declared and nothing is binned: the whole budget is the model's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from dpmm.pipelines import AIMPipeline, MSTPipeline

AIM_SIZES = {"AIM": 80, "AIM8": 8}  # MB; 80 is what AIM's authors ask for in comparisons

train, sizes, out, mechanism = sys.argv[1:5]
epsilon, delta, rows = float(sys.argv[5]), float(sys.argv[6]), int(sys.argv[7])
frame = pd.read_csv(train)
domain = json.loads(Path(sizes).read_text())

started, worked = time.monotonic(), time.process_time()
whole = {"epsilon": epsilon, "delta": delta, "disable_processing": True}
if mechanism in AIM_SIZES:
    pipeline = AIMPipeline(**whole, max_model_size=AIM_SIZES[mechanism])
else:
    pipeline = MSTPipeline(**whole)
pipeline.fit(frame, domain)
new = pipeline.generate(n_records=rows)
took, cpu = time.monotonic() - started, time.process_time() - worked
new[list(frame)].to_csv(out, index=False)
cliques = len(pipeline.gen.generator.cliques)
print(json.dumps({"seconds": took, "cpu": cpu, "cliques": cliques}))
