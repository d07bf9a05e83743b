"""How JupyterLab starts for a student; found through JUPYTER_CONFIG_PATH, which `autograde lab` sets."""

from pathlib import Path

from jupyter_core.paths import jupyter_config_dir

c = get_config()  # noqa: F821 (Jupyter provides it)

# The style sheet beside this file, unless the student has one of their own.
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {
    "static_custom_path": [str(Path(jupyter_config_dir(), "custom")), str(Path(__file__).parent / "custom")]}
