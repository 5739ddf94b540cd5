"""A pretrained encoder in plain torch: a frozen trunk, then a fine-tuned one whose layers learn at rates of their own.

    lanista pretrain pictures:data=fashion_mnist --out runs/clothes
    python examples/plain_torch.py runs/clothes [EPOCHS]

The trunk comes from pictures of clothes; it is put to handwritten digits, of which only 200 are learnt from.
"""

import sys

import torch
from sklearn.datasets import load_digits

import lanista

name = sys.argv[1]
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 60
digits = load_digits()
pictures, labels = (digits.images * 255 / 16).astype("uint8"), torch.from_numpy(digits.target)

for frozen in (True, False):
    torch.manual_seed(0)
    encoder = lanista.load_encoder(name).freeze(frozen)
    seen = torch.from_numpy(encoder.input.fit(pictures))
    head = torch.nn.Linear(encoder.dim, 10)
    layers = encoder.layer_groups()  # from the input to the output: the nearer to the input, the slower
    rates = [{"params": layer, "lr": 1e-3 * 0.7 ** (len(layers) - depth)} for depth, layer in enumerate(layers)]
    optimizer = torch.optim.AdamW([*([] if frozen else rates), {"params": head.parameters(), "lr": 1e-2}])
    for _ in range(epochs):
        loss = torch.nn.functional.cross_entropy(head(encoder(seen[:200])), labels[:200])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        right = (head(encoder(seen[200:])).argmax(-1) == labels[200:]).float().mean().item()
    print(f"{'frozen' if frozen else 'fine-tuned'}: {right:.1%} of {len(labels) - 200} digits")
