"""Pages that people look at: the questions of the API, answered in HTML, without a token and without a script.

`routes.py` has a function for each page, over the same queries as the API; `site.py` puts them into HTML,
`pictures.py` draws, `language.py` has the words. A page says of which day it is, as known on which day, and leads to
the JSON behind it.
"""
