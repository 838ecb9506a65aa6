export default async function globalTeardown() {
  await globalThis.gatehouseTestDatabase?.server.stop();
}
