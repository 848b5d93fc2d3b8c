"""What docs/clouds.md makes at Azure, as far as it can be had here."""

CONTAINER, IMAGE = "our-models", "ours.azurecr.io/noria:1"
NAMES = {
    "NORIA_AZURE_SUBSCRIPTION": "00000000-0000-4000-8000-000000000000",
    "NORIA_AZURE_GROUP": "ours",
    "NORIA_AZURE_WORKSPACE": "ours",
    "NORIA_ACR": "ours",
}
# nobody need look for the identity of a machine at Azure
NOWHERE = {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
# the one account of every Azurite, no secret of anybody's
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection(port: int, key: str = _KEY) -> str:
    at = f"http://127.0.0.1:{port}/{_ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={key};BlobEndpoint={at};"


def make_container(storage: str) -> None:
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(storage) as service:
        service.create_container(CONTAINER)


def blobs(storage: str) -> list[str]:
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(storage) as service:
        return list(service.get_container_client(CONTAINER).list_blob_names())
