"""What tests of more than one part need: servers, scenarios, builders."""
