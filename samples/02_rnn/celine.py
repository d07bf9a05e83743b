# Forgets the state in two places: the loop starts from h0 at every step, the decoder too.

# %% * solution

# %% rnn.unroll
def unroll(x, h0, W, U, b):
    states = []
    for t in range(x.shape[1]):
        h = cell(x[:, t], h0, W, U, b)
        states.append(h)
    return ops.stack(states, axis=1), h

# %% rnn.one_to_many
def one_to_many(h, start, steps, E, W, U, b, Wo, bo):
    symbols = ops.full((h.shape[0],), start, dtype="int32")
    all_logits, all_symbols = [], []
    for _ in range(steps):
        new = cell(ops.take(E, symbols, axis=0), h, W, U, b)
        logits = ops.matmul(new, Wo) + bo
        symbols = ops.argmax(logits, axis=-1)
        all_logits.append(logits)
        all_symbols.append(symbols)
    return ops.stack(all_logits, axis=1), ops.stack(all_symbols, axis=1)
