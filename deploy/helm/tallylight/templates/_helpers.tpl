{{- define "tallylight.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "tallylight.selector" -}}
app.kubernetes.io/name: tallylight
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tallylight.labels" -}}
{{ include "tallylight.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "tallylight.secret" -}}
{{- if .Values.existingSecret -}}
{{ .Values.existingSecret }}
{{- else -}}
{{- range list "TALLYLIGHT_ADMIN_KEY" "REDIS_URL" "LIVEKIT_API_KEY" "LIVEKIT_API_SECRET" -}}
{{- if not (index ($.Values.secrets | default dict) .) -}}
{{- fail (printf "secrets.%s is missing: set it, or existingSecret to the name of a Secret that has it" .) -}}
{{- end -}}
{{- end -}}
{{ include "tallylight.name" . }}
{{- end -}}
{{- end }}
