{{- /* What `farmlokal-operator run` reads from its environment. */}}
{{- define "farmlokal-operator.environment" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}
# The Lease of who works lies here.
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}
- name: ADMIN_LISTEN
  value: 0.0.0.0:8081
- name: FARMLOKAL_IMAGE
  value: {{ include "farmlokal-operator.image" (dict "root" . "image" .Values.instanceImage) | quote }}
{{- with .Values.watchNamespaces }}
- name: WATCH_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
- name: CONCURRENCY
  value: {{ .Values.concurrency | quote }}
- name: LOG_FILTER
  value: {{ .Values.log | quote }}
{{- with .Values.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ divf $.Values.telemetry.samplingPercent 100 | quote }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME)
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
