{{/* Labels of everything the chart makes; the argument is a list of the root context and the component's name. */}}
{{- define "basalt.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: basalt
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end -}}

{{/* The labels by which a component's pods are selected. */}}
{{- define "basalt.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: basalt
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "basalt.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
