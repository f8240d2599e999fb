{{- define "farmlokal.name" -}}
{{- $name := .Values.name | default .Release.Name }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,46}[a-z0-9])?$" $name) }}
{{- fail (printf "%s cannot name a FarmLokal object: set name to one that begins with a letter and has only small letters, digits and hyphens, 48 at the most" $name) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "farmlokal.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: farmlokal
app.kubernetes.io/instance: {{ include "farmlokal.name" . }}
app.kubernetes.io/part-of: farmlokal
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
