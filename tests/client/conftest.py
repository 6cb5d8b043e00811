from tests.serving.conftest import service as service
