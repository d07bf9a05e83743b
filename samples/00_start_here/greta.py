# Everything right; put a cell of her own at the top and copied an exercise twice.

# %% * solution

# %% first
print("my notes: B, T, D")

# %% duplicate start.affine
