{{- define "noria.fullname" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Call with (list $ "component"). */}}
{{- define "noria.selector" -}}
app.kubernetes.io/name: noria
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "noria.labels" -}}
{{ include "noria.selector" . }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{/* Call with (list $ "component"). */}}
{{- define "noria.metadata" -}}
name: {{ include "noria.fullname" (index . 0) }}-{{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "noria.labels" . | nindent 2 }}
{{- end }}

{{/* Call with (list "where it is said" .image). */}}
{{- define "noria.image" -}}
{{- $image := index . 1 -}}
{{- $repository := required (printf "%s.repository is not set: name the image that you have pushed" (index . 0)) $image.repository -}}
{{- $tag := required (printf "%s.tag is not set: name a tag that stays what it is" (index . 0)) $image.tag -}}
image: {{ printf "%s:%s" $repository (toString $tag) | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/* What every pod has; call with (list $ user). */}}
{{- define "noria.pod" -}}
{{- $ := index . 0 -}}
serviceAccountName: {{ include "noria.fullname" $ }}-pods
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 1 }}
  runAsGroup: {{ index . 1 }}
  fsGroup: {{ index . 1 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* What every container has. */}}
{{- define "noria.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* One volume of one pod; call with (list $ "component" size storageClass). */}}
{{- define "noria.claim" -}}
accessModes: [ReadWriteOnce]
{{- with index . 1 }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ index . 0 }}
{{- end }}

{{- define "noria.fromSecret" -}}
valueFrom:
  secretKeyRef:
    name: {{ index . 0 | quote }}
    key: {{ index . 1 }}
{{- end }}

{{/* Where predictions are kept. The service itself fills in ${env:…}, when it opens the store. */}}
{{- define "noria.predictions" -}}
{{- if .Values.predictions.urlSecret -}}
- name: NORIA_PREDICTIONS_URL
  {{- include "noria.fromSecret" (list .Values.predictions.urlSecret "url") | nindent 2 }}
{{- else if .Values.postgresql.enabled -}}
- name: NORIA_DATABASE_PASSWORD
  {{- include "noria.fromSecret" (list .Values.postgresql.passwordSecret "password") | nindent 2 }}
- name: NORIA_PREDICTIONS_URL
  value: "postgresql+psycopg://noria:${env:NORIA_DATABASE_PASSWORD}@{{ include "noria.fullname" . }}-postgresql:5432/noria"
{{- else -}}
{{- fail "predictions.urlSecret is not set, and postgresql.enabled is false: predictions would be kept nowhere" -}}
{{- end -}}
{{- end }}

{{- define "noria.privacyKey" -}}
{{- with .Values.service.privacySecret -}}
- name: NORIA_PRIVACY_KEY
  {{- include "noria.fromSecret" (list . "key") | nindent 2 }}
{{- end -}}
{{- end }}
