"""tlapp: learn and do transfer learning in a browser.

The rooms, in the order in which data passes through them. A room imports only rooms before it,
plus ``bounds``, ``messages``, ``errors``, ``settings``, ``log``, ``stopping``, ``files``,
``stored``, ``recent``, ``damages`` and ``owners`` (``tests/test_arrows.py`` fails otherwise):

    data         labelled pictures: import, decode, check, split, preprocess
    backbones    pretrained networks: cards, weights, loading, features, feature cache
    classifier   backbone + head + class names + preprocessing
    training     features or pictures + config -> events -> a trained classifier
    runs         events -> a record that outlives the process, and a live view of it
    jobs         a generator of events -> a job that outlives the browser tab
    evaluation   a classifier + (test) pictures -> predictions and honest figures
    experiments  one question, several trainings: races, classic mistakes, the learning rate
    workspace    the rooms above as services (library, trainings, experiments, models, visitors),
                 kept in one folder and shared by page, API and command line
    ui           the Gradio page and the API; no room reads it

``commands`` and ``__main__`` stand on top and may import all of them.
"""

__version__ = "0.1.0"
