import type { Logger } from '../logger.js'
import { packageVersion } from '../package-version.js'

/** Ends the export once what was recorded is sent. */
export type StopSpanExport = () => Promise<void>

/**
 * Sends the process's spans by OTLP over HTTP to where OpenTelemetry's own variables say
 * (`OTEL_EXPORTER_OTLP_ENDPOINT` and those beside it). Nothing is loaded or recorded where none is set; an SDK that
 * the process has already, as `NODE_OPTIONS=--import` may have brought, stays in its place.
 */
export async function exportSpans(env: NodeJS.ProcessEnv, logger: Logger): Promise<StopSpanExport> {
  const url = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  if (url === '' || env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return () => Promise.resolve()
  const [
    sdk,
    { OTLPTraceExporter },
    { defaultResource, detectResources, envDetector, resourceFromAttributes },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ])
  const provider = new sdk.NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'external-sync', 'service.version': packageVersion }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  })
  provider.register()
  logger.info({ endpoint: originOf(url) }, 'spans are exported by OTLP')
  return async () => {
    await provider.shutdown().catch((error: unknown) => {
      logger.warn({ err: error }, 'the last spans could not be exported')
    })
  }
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}
