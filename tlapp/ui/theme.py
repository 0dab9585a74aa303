"""The looks of the page: Gradio's theme in our colours, and one style sheet for page and widgets.

Give both to ``launch``: ``demo.launch(theme=make_theme(), css=page_css())``. Gradio keeps every rule
as it is and repeats it under ``.contain``; it knows plain rules, ``@media`` and ``@keyframes`` only
(no ``@container``, ``@supports`` or nesting), and takes commas inside ``:is()`` for separators.
"""

from importlib import resources

import gradio as gr

from tlapp.ui.widgets.assets import widget_css


def make_theme() -> gr.themes.Base:
    """Gradio's default theme with a teal accent on cool greys.

    Every text has a contrast of 4.5:1 or more in light and dark (checked with axe-core).
    """
    theme = gr.themes.Default(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        radius_size=gr.themes.sizes.radius_lg,
        # 400 and 700 only: Gradio's semi-bold file holds a handful of letters.
        font=(
            gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)),
            "system-ui",
            "sans-serif",
        ),
    )
    return theme.set(**_colours(), **_lines())


def page_css() -> str:
    """The page's whole style sheet: variables and layout, then every widget's rules."""
    return resources.files("tlapp.ui").joinpath("theme.css").read_text("utf-8") + widget_css()


def _colours() -> dict[str, str]:
    """Colours as CSS variables of ``theme.css``, so that light and dark are said once."""
    both = {
        "body_background_fill": "var(--tl-bg)",
        "body_text_color": "var(--tl-ink)",
        "body_text_color_subdued": "var(--tl-soft)",
        "background_fill_primary": "var(--tl-card)",
        "background_fill_secondary": "var(--tl-bg)",
        "border_color_primary": "var(--tl-line)",
        "border_color_accent": "var(--tl-acc)",
        "color_accent_soft": "var(--tl-tint)",
        "link_text_color": "var(--tl-acc2)",
        "link_text_color_hover": "var(--tl-acc)",
        "link_text_color_active": "var(--tl-acc2)",
        "link_text_color_visited": "var(--tl-acc2)",
        "block_background_fill": "transparent",
        "block_border_color": "var(--tl-line)",
        "block_info_text_color": "var(--tl-soft)",
        "block_label_text_color": "var(--tl-ink)",
        "block_label_background_fill": "transparent",
        "block_title_text_color": "var(--tl-ink)",
        "block_title_background_fill": "transparent",
        "accordion_text_color": "var(--tl-ink)",
        "input_background_fill": "var(--tl-card)",
        "input_border_color": "var(--tl-line-strong)",
        "input_border_color_focus": "var(--tl-acc)",
        "input_placeholder_color": "var(--tl-soft)",
        "checkbox_background_color": "var(--tl-card)",
        "checkbox_border_color": "var(--tl-line-strong)",
        "checkbox_background_color_selected": "var(--tl-acc)",
        "checkbox_border_color_selected": "var(--tl-acc)",
        "slider_color": "var(--tl-acc)",
        "button_primary_background_fill": "var(--tl-acc)",
        "button_primary_background_fill_hover": "var(--tl-acc2)",
        "button_primary_text_color": "var(--tl-on-acc)",
        "button_secondary_background_fill": "transparent",
        "button_secondary_background_fill_hover": "var(--tl-tint)",
        "button_secondary_border_color": "var(--tl-line-strong)",
        "button_secondary_text_color": "var(--tl-ink)",
        "button_cancel_background_fill": "var(--tl-bad)",
        "button_cancel_background_fill_hover": "var(--tl-bad2)",
        "button_cancel_text_color": "var(--tl-on-bad)",
    }
    return both | {f"{name}_dark": value for name, value in both.items()}


def _lines() -> dict[str, str]:
    """Borders, shadows and sizes: flat, one thin line, no lift."""
    return {
        "block_border_width": "0px",
        "block_border_width_dark": "0px",
        "block_padding": "0px",
        "block_shadow": "none",
        "block_shadow_dark": "none",
        "block_title_text_weight": "600",
        "layout_gap": "12px",
        "form_gap_width": "0px",
        "input_shadow": "none",
        "input_shadow_dark": "none",
        "input_shadow_focus": "0 0 0 2px var(--tl-tint)",
        "input_shadow_focus_dark": "0 0 0 2px var(--tl-tint)",
        "button_border_width": "1px",
        "button_border_width_dark": "1px",
        "button_primary_border_color": "transparent",
        "button_primary_border_color_dark": "transparent",
        "button_primary_shadow": "none",
        "button_secondary_shadow": "none",
        "button_large_radius": "9px",
        "button_medium_radius": "9px",
        "button_small_radius": "8px",
        "button_large_text_weight": "600",
        "button_medium_padding": "8px 14px",
        "button_large_padding": "9px 16px",
    }
