"""The shared face: base page, error page, style sheet, words of refusals, dates, page headers.

Owns no table. Any room above may use it; it knows none of them. ``pages.install`` prepares the
app, ``assets.wrap`` serves what ``tools/build_assets.py`` built from ``assets/``.

How a page is written (its classes are listed at the head of ``assets/clauseway.scss``)::

    {% extends 'ui/base.html' %}
    {% from 'ui/parts.html' import clause, option, progress %}
    {% from 'govuk_frontend_jinja/components/button/macro.html' import govukButton %}
    {% from 'govuk_frontend_jinja/components/radios/macro.html' import govukRadios %}
    {% block title %}{% if errors %}{{ _('Error:') }} {% endif %}{{ _('Question') }}{% endblock %}
    {% block before_content %}{{ govukBackLink({...}) }}{% endblock %}
    {% block content %}
    <div class="govuk-grid-row"><div class="govuk-grid-column-two-thirds">
      {{ progress(3, 10) }}
      <h1 class="govuk-heading-l">{{ scenario.title }}</h1>
      <div class="cw-scene"><p>{{ scenario.situation }}</p></div>
      <form method="post" novalidate data-keep>
        {{ csrf_field() }}
        {{ govukRadios({'name': 'choice', 'classes': 'cw-choices', 'items': items,
                        'fieldset': {'legend': {'text': _('What do you do?')}}}) }}
        <p class="cw-not-saved" role="alert" hidden>{{ _('Not saved yet. Try again.') }}</p>
        {{ govukButton({'text': _('Save'), 'preventDoubleClick': true}) }}
      </form>
      {{ clause(text, source) }}
      <ul class="cw-options">
        {% call option(text, 'not-enough', _('Not enough on its own'), chosen=true) %}
        <p>{{ why }}</p>
        {% endcall %}
      </ul>
    </div></div>
    {% endblock %}

A register is ``<table class="govuk-table cw-register">`` with ``data-label`` on each cell. Dates
go through the filters ``day``, ``clock_time`` and ``day_and_time``. Only components named in
``clauseway.scss`` have styles; no page holds a script or a ``style`` of its own.
"""
