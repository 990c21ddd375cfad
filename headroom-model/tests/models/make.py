"""Makes the small models of the tests, and what onnxruntime says of them.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime tokenizers numpy
    venv/bin/python make.py                       # the files beside this one
    venv/bin/python make.py --large FOLDER        # two layers of the size of ModernBERT, to measure

The models have the shape of ModernBERT with a head that scores tokens: rotary positions, gated feed-forward layers,
no biases; `input_ids` and `attention_mask` in, `final_scores` out. Their weights are random, from a fixed seed.
`expected.json` holds, for each model and text, the windows of tokens and the score of every word.
"""
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
WORDS, TOKENS, ROWS = 350, 512, 8


class Graph:
    def __init__(self, seed):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(seed)

    def __call__(self, op, *inputs, **attributes):
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=f"{name}_node", **attributes))
        return name

    def constant(self, value, kind=np.int64):
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def weight(self, *shape, scale=1.0):
        return self.constant(self.random.normal(0, scale, shape), np.float32)


def model(vocabulary, width, heads, layers, inner, seed=7):
    g = Graph(seed)
    size = width // heads
    gain = (2.0 / width) ** 0.5 * 1.5
    norm = lambda x: g("LayerNormalization", x, g.constant(np.ones(width), np.float32), axis=-1, epsilon=1e-5)
    shape = g("Shape", "input_ids")
    length = g("Gather", shape, g.constant(1), axis=0)
    x = norm(g("Gather", g.weight(vocabulary, width), "input_ids", axis=0))
    # Hidden positions get a large negative number before the softmax.
    mask = g("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = g("Mul", g("Sub", g.constant(1, np.float32), mask), g.constant(-1e4, np.float32))
    mask = g("Unsqueeze", mask, g.constant([1, 2]))
    positions = g("Cast", g("Range", g.constant(0), length, g.constant(1)), to=TensorProto.FLOAT)
    rates = g.constant(1 / 10000 ** (np.arange(0, size, 2) / size), np.float32)
    angles = g("MatMul", g("Unsqueeze", positions, g.constant([1])), g("Unsqueeze", rates, g.constant([0])))
    angles = g("Concat", angles, angles, axis=-1)
    cos, sin = g("Cos", angles), g("Sin", angles)

    def rotated(x):
        first, second = (
            g("Slice", x, g.constant([a]), g.constant([b]), g.constant([3])) for a, b in [(0, size // 2), (size // 2, size)]
        )
        return g("Add", g("Mul", x, cos), g("Mul", g("Concat", g("Neg", second), first, axis=-1), sin))

    for _ in range(layers):
        y = norm(x)
        split = lambda x: g("Transpose", g("Reshape", x, g.constant([0, 0, heads, size])), perm=[0, 2, 1, 3])
        q, k, v = (split(g("MatMul", y, g.weight(width, width, scale=gain))) for _ in range(3))
        scores = g("MatMul", rotated(q), g("Transpose", rotated(k), perm=[0, 1, 3, 2]))
        scores = g("Add", g("Mul", scores, g.constant(size**-0.5, np.float32)), mask)
        y = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        y = g("Reshape", y, g.constant([0, 0, width]))
        x = g("Add", x, g("MatMul", y, g.weight(width, width, scale=gain)))
        y = norm(x)
        a, b = (g("MatMul", y, g.weight(width, inner, scale=gain)) for _ in range(2))
        erf = g("Erf", g("Mul", a, g.constant(0.5**0.5, np.float32)))
        gelu = g("Mul", g("Mul", a, g.constant(0.5, np.float32)), g("Add", erf, g.constant(1, np.float32)))
        x = g("Add", x, g("MatMul", g("Mul", gelu, b), g.weight(inner, width, scale=gain)))
    x = g("Squeeze", g("MatMul", norm(x), g.weight(width, 1, scale=gain * 2)), g.constant([2]))
    g.nodes.append(helper.make_node("Sigmoid", [x], ["final_scores"]))
    two = ["batch", "sequence"]
    graph = helper.make_graph(
        g.nodes,
        "scores",
        [helper.make_tensor_value_info(name, TensorProto.INT64, two) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("final_scores", TensorProto.FLOAT, two)],
        g.weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def weights_only(made):
    """The weights of matrix products as int8 with a scale for each column, the rest as it was."""
    made = onnx.ModelProto.FromString(made.SerializeToString())
    graph = made.graph
    used = {node.input[1] for node in graph.node if node.op_type == "MatMul"}
    kept, nodes = [], []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if tensor.name not in used or value.ndim != 2 or value.shape[0] == 1:
            kept.append(tensor)
            continue
        scale = (np.abs(value).max(axis=0) / 127).astype(np.float32)
        small = np.round(value / scale).astype(np.int8)
        kept.append(numpy_helper.from_array(small, tensor.name + "_int8"))
        kept.append(numpy_helper.from_array(scale, tensor.name + "_scale"))
        kept.append(numpy_helper.from_array(np.zeros(scale.shape, np.int8), tensor.name + "_zero"))
        inputs = [tensor.name + end for end in ("_int8", "_scale", "_zero")]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=1))
    nodes.extend(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(made)
    return made


def tokenizer(corpus, size):
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.decoder = decoders.ByteLevel()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet)
    )
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, made.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    )
    return made


def windows(made, words):
    """Runs of words that fit, as ranges; a word that fits none is in none."""
    tokens = [len(made.encode([word], is_pretokenized=True, add_special_tokens=False).ids) for word in words]
    found, start, room = [], 0, TOKENS - 2
    for at, count in enumerate(tokens):
        if count > TOKENS - 2:
            if start < at:
                found.append((start, at))
            start, room = at + 1, TOKENS - 2
        elif at - start == WORDS or count > room:
            found.append((start, at))
            start, room = at, TOKENS - 2 - count
        else:
            room -= count
    if start < len(words):
        found.append((start, len(words)))
    return [run for run in found if run[0] < run[1]]


def expected(session, made, text):
    words = text.split()
    scores = [None] * len(words)
    runs = windows(made, words)
    rows = []
    for first in range(0, len(runs), ROWS):
        batch = runs[first : first + ROWS]
        encoded = [made.encode(words[a:b], is_pretokenized=True) for a, b in batch]
        longest = max(len(row.ids) for row in encoded)
        pad = made.token_to_id("[PAD]")
        ids = np.full((len(batch), longest), pad, np.int64)
        mask = np.zeros((len(batch), longest), np.int64)
        for row, encoding in enumerate(encoded):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
            rows.append(len(encoding.ids))
        (found,) = session.run(["final_scores"], {"input_ids": ids, "attention_mask": mask})
        for (start, _), encoding, row in zip(batch, encoded, found):
            for token, word in enumerate(encoding.word_ids):
                if word is not None:
                    best = scores[start + word]
                    scores[start + word] = max(float(row[token]), best if best is not None else 0.0)
    return {"rows": rows, "scores": [None if score is None else round(score, 6) for score in scores]}


def main():
    texts = {path.stem: path.read_text() for path in sorted((HERE / "texts").glob("*.txt"))}
    made = tokenizer(texts.values(), 360)
    vocabulary = made.get_vocab_size()
    if sys.argv[1:2] == ["--large"]:
        folder = pathlib.Path(sys.argv[2])
        shapes = dict(vocabulary=50368, width=768, heads=12, layers=2, inner=1152)
    else:
        folder, shapes = HERE, dict(vocabulary=vocabulary, width=8, heads=2, layers=2, inner=12)
    folder.mkdir(exist_ok=True)
    made.save(str(folder / "tokenizer.json"), pretty=False)
    whole = model(**shapes)
    onnx.save(whole, str(folder / "model.onnx"))
    onnx.save(weights_only(whole), str(folder / "int8-weights.onnx"))
    quantize_dynamic(str(folder / "model.onnx"), str(folder / "int8.onnx"), weight_type=QuantType.QInt8)
    if folder != HERE:
        return
    answers = {}
    for name in ("model", "int8-weights", "int8"):
        options = ort.SessionOptions()
        # More would round the inputs of products whose weights alone are rounded.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        session = ort.InferenceSession(str(folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        answers[name] = {title: expected(session, made, text) for title, text in texts.items()}
    (folder / "expected.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")


main()
