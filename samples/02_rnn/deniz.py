# Treats padding as if it were text, and the temperature the wrong way round.

# %% * solution

# %% rnn.last_valid
def last_valid(states, mask):
    return states[:, -1]

# %% rnn.many_to_many_loss
def masked_loss(targets, logits, mask):
    log_p = ops.log_softmax(logits, axis=-1)
    losses = -ops.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    mask = ops.cast(mask, losses.dtype)
    return ops.mean(losses * mask)

# %% rnn.sample
def sample(logits, temperature, r):
    p = ops.softmax(logits * temperature, axis=-1)
    running = ops.cumsum(p, axis=-1)
    return p, ops.sum(ops.cast(running <= r[:, None], "int32"), axis=-1)
