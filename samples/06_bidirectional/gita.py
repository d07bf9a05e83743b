# Opened the notebook and handed it in untouched.
