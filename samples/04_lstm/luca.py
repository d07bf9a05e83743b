# Deleted the cell of lstm.gates by accident, and pasted lstm.step twice.

# %% * solution

# %% delete lstm.gates

# %% duplicate lstm.step
