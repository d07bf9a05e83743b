# Everything right, in NumPy wherever it can be.

# %% * solution

# %% rnn.step
def rnn_step(x, h, W, U, b):
    z = x @ W + h @ U + b
    return np.tanh(z)

# %% rnn.concat_form
def concat_form(x, h, W, U, b):
    V = np.vstack([W, U])
    return V, np.tanh(np.hstack([x, h]) @ V + b)

# %% rnn.unroll
def unroll(x, h0, W, U, b):
    B, T, D = x.shape
    states = np.zeros((B, T, h0.shape[1]), "float32")
    for t in range(T):
        before = h0 if t == 0 else states[:, t - 1]
        states[:, t] = np.tanh(x[:, t] @ W + before @ U + b)
    return states, states[:, -1]

# %% rnn.last_valid
def last_valid(states, mask):
    T = mask.shape[1]
    last = T - 1 - np.argmax(mask[:, ::-1], axis=1)
    return states[np.arange(len(states)), last]

# %% rnn.many_to_many_loss
def masked_loss(targets, logits, mask):
    z = logits[mask]
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), targets[mask]].mean()

# %% rnn.sample
def sample(logits, temperature, r):
    e = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    p = e / e.sum(axis=1, keepdims=True)
    return p, (np.cumsum(p, axis=1) > r[:, None]).argmax(axis=1)
