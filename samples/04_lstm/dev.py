# Everything right, number by number in explicit loops.

# %% * solution

# %% lstm.step
import math

def lstm_step(x, h, c, W, U, b):
    B, u = h.shape
    new_h, new_c = np.zeros((B, u)), np.zeros((B, u))
    for n in range(B):
        for j in range(u):
            z = []
            for gate in range(4):
                k = gate * u + j
                total = b[k]
                for d in range(x.shape[1]):
                    total += x[n, d] * W[d, k]
                for v in range(u):
                    total += h[n, v] * U[v, k]
                z.append(total)
            i, f, o = (1 / (1 + math.exp(-z[k])) for k in (0, 1, 3))
            new_c[n, j] = f * c[n, j] + i * math.tanh(z[2])
            new_h[n, j] = o * math.tanh(new_c[n, j])
    return new_h, new_c

# %% lstm.gates
def lstm_gates(x, h, c, W, U, b):
    # one example, one step and one unit at a time; slow, but I can follow it
    B, T, D = x.shape
    u = h.shape[1]
    res = {}
    for k in "ifgoch":
        res[k] = np.zeros((B, T, u))
    for n in range(B):
        hn, cn = np.array(h[n]), np.array(c[n])
        for t in range(T):
            z = np.array(b, dtype=float)
            for d in range(D):
                z = z + x[n, t, d] * W[d]
            for v in range(u):
                z = z + hn[v] * U[v]
            for j in range(u):
                i = 1 / (1 + np.exp(-z[j]))
                f = 1 / (1 + np.exp(-z[u + j]))
                g = np.tanh(z[2 * u + j])
                o = 1 / (1 + np.exp(-z[3 * u + j]))
                cn[j] = f * cn[j] + i * g
                hn[j] = o * np.tanh(cn[j])
                for k, value in zip("ifgoch", [i, f, g, o, cn[j], hn[j]]):
                    res[k][n, t, j] = value
    return res

# %% lstm.constant_error
def constant_error(f):
    return np.stack([np.prod(f[:, t + 1:], axis=1) for t in range(f.shape[1])], axis=1)
