import { isGrpcServiceError } from '@temporalio/client'

/** The gRPC status codes that this project tells apart (https://grpc.io/docs/guides/status-codes/). */
export const GRPC = { NOT_FOUND: 5, FAILED_PRECONDITION: 9 } as const

/** The status of a failed call; the client wraps that of some calls into an error of its own. */
export function grpcStatus(error: unknown): { code: number; details: string } | undefined {
  const candidates = error instanceof Error ? [error, error.cause] : [error]
  const found = candidates.find(isGrpcServiceError)
  return found && { code: found.code, details: found.details }
}
