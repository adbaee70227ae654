import { isGrpcServiceError } from '@temporalio/client'

/** The gRPC status codes that this project tells apart (https://grpc.io/docs/guides/status-codes/). */
export const GRPC = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const

/** The status of a failed call; the client wraps that of some calls into an error of its own. */
export function grpcStatus(error: unknown): { code: number; details: string } | undefined {
  const candidates = error instanceof Error ? [error, error.cause] : [error]
  const found = candidates.find(isGrpcServiceError)
  return found && { code: found.code, details: found.details }
}

/** Whether a call failed with one of these statuses. */
export function failedWith(error: unknown, ...codes: (keyof typeof GRPC)[]): boolean {
  const status = grpcStatus(error)
  return status !== undefined && codes.some((code) => GRPC[code] === status.code)
}
