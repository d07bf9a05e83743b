# Everything right, in the words of the lesson.

# %% * solution
