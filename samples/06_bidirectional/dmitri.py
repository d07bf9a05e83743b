# Takes the last position for the end of everything, and counts tags in place of words; the rest is right.

# %% * solution

# %% bi.final_state
def final_state(forward, backward, mask):
    out = ops.concatenate([forward, backward], axis=-1)
    return out[:, -1]

# %% bi.f1
def word_f1(gold, predicted):
    def tags(words):
        return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)
    right = total = 0
    for g, p in zip(gold, predicted):
        right += sum(a == b for a, b in zip(tags(g), tags(p)))
        total += len(tags(g))
    precision = recall = right / total
    if right == 0:
        return 0.0, 0.0, 0.0
    return precision, recall, 2 * precision * recall / (precision + recall)
