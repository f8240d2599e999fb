{{- /* Names and labels. */}}

{{- define "farmlokal-operator.fullname" -}}
{{- $name := .Release.Name }}
{{- if not (contains .Chart.Name $name) }}
{{- $name = printf "%s-%s" $name .Chart.Name }}
{{- end }}
{{- .Values.fullnameOverride | default $name | trunc 56 | trimSuffix "-" }}
{{- end }}

{{- define "farmlokal-operator.serviceAccountName" -}}
{{- $made := include "farmlokal-operator.fullname" . }}
{{- .Values.serviceAccount.name | default (ternary $made "default" .Values.serviceAccount.create) }}
{{- end }}

{{- /* Found by these, and never changed. The first is also how instances know whom to let at their admin ports. */}}
{{- define "farmlokal-operator.selector" -}}
app.kubernetes.io/name: farmlokal-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- /* The pod of `helm test` is found by none of the above. */}}
{{- define "farmlokal-operator.testSelector" -}}
app.kubernetes.io/name: farmlokal-operator-test
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end }}

{{- define "farmlokal-operator.about" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: farmlokal
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Common labels come first, so that the chart's own go over them. */}}
{{- define "farmlokal-operator.labels" -}}
{{- $own := printf "%s\n%s" (include "farmlokal-operator.selector" .) (include "farmlokal-operator.about" .) | fromYaml }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{- /* Labels and annotations of an object; `labels` and `annotations` are its own. */}}
{{- define "farmlokal-operator.metadata" -}}
labels: {{- merge (include "farmlokal-operator.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* An image by its parts. A registry for all charts goes over its own, and a digest over the tag. */}}
{{- define "farmlokal-operator.image" -}}
{{- $global := .root.Values.global | default dict }}
{{- with $global.imageRegistry | default .image.registry }}{{ . }}/{{ end }}
{{- .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Those of all charts may be given as names alone. */}}
{{- define "farmlokal-operator.pullSecrets" -}}
{{- $global := .Values.global | default dict }}
{{- range concat ($global.imagePullSecrets | default list) .Values.imagePullSecrets }}
- name: {{ kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") }}
{{- end }}
{{- end }}
