"""The fields of the unit's web platform: a commitment in one row, as it goes out and comes in.

A column goes by the name of its field, and comes in by that or by any of these words, Spanish or English: those of the
platform, and those that stand above the columns of tables.
"""

from __future__ import annotations

from typing import Final

COLUMNS: Final = {
    "code": ("Código", "Code"),
    "on": ("Día", "On", "Fecha", "Date"),
    "title": ("Compromiso", "Commitment", "Título", "Title"),
    "adviser": ("Asesor DCI", "DCI Advisor", "Asesor responsable", "Adviser"),
    "lead_organization": (
        "Ministerio responsable",
        "Ministry responsible",
        "Organismo responsable",
        "Lead organisation",
    ),
    "collaborating_organizations": (
        "Ministerio colaborador",
        "Collaborating ministry",
        "Organismos colaboradores",
        "Collaborating organisations",
    ),
    "responsible_service": (
        "Subsecretaría o servicio responsable",
        "Under-Secretariat or service-provider responsible",
        "Servicio responsable",
        "Responsible service",
    ),
    "goal": ("Meta", "Goal"),
    "internal_deadline_on": ("Plazo interno", "Internal deadline"),
    "instrument": ("Instrumento", "Instrument"),
    "public_deadline_on": ("Plazo público", "Public deadline"),
    "public_deadline_origin": ("Origen del plazo público", "Origin of public deadline"),
    "origin": ("Origen", "Origin"),
    "source": ("Fuente", "Source"),
    "source_on": ("Fecha de la fuente", "Source date"),
    "document_url": ("Documento de respaldo", "Back-up document"),
    "observed_progress": ("Avance observado", "Observed progress"),
    "stage": ("Etapa", "Stage"),
    "priority": ("Prioridad", "Priority"),
    "quote": ("Cita del discurso", "Quote from speech"),
    "key_words": ("Palabras clave", "Key words"),
    "status": ("Estado actual", "Current state", "Estado", "State"),
    "discard_reason_type": ("Tipo de motivo del descarte", "Type of reason of the discard"),
    "discard_reason": ("Motivo del descarte", "Reason of the discard"),
    "comments": ("Comentarios", "Comments"),
}
