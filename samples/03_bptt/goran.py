# Keeps the states without h0, time first in his head: the first exercise fails, the rest stands.

# %% * solution

# %% bptt.forward_cache
def rnn_forward(x, h0, W, U, b):
    h, states = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W + h @ U + b)
        states.append(h)
    return np.stack(states, axis=1)
